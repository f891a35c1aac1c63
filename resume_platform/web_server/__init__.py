"""The web process: waitress, in as many processes as there are cores, on one socket."""
