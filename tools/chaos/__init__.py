"""`./dev chaos`: everything is killed at random under load, and nothing may be lost."""
