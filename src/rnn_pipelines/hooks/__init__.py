"""The hooks of a Kedro run, and the parameters and paths that they check."""
