"""The networks, built with Keras from typed specs."""
