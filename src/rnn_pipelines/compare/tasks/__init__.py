"""The tasks on which recurrent cells are compared: each kind in a module that says all of it."""
