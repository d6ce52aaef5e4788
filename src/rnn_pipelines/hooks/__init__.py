"""The hooks of a Kedro run, and their checks of parameters and paths."""
