"""The tasks on which recurrent cells are compared, one module for each kind."""
