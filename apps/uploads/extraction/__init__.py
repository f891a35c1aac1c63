"""The text of an uploaded file. Imports nothing: the sandbox's child starts with what it needs."""
