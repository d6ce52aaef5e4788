"""Settings of Kedro; those that are not set here have their defaults."""

CONFIG_LOADER_ARGS = {"base_env": "base", "default_run_env": "local"}
