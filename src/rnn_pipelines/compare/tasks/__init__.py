"""The tasks on which recurrent cells are compared: two that are made and one that is read from files."""
