"""`./dev bench`: how fast the system is, and how near each figure comes to its floor.

A scenario is a module with `measure(rig, figures)`; `scenarios.py` lists them.
"""
