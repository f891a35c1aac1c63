"""The adversary's suite: what one stranger can do to everybody else."""
