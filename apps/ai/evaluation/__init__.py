"""Measuring a model and a prompt on labelled resumes."""
