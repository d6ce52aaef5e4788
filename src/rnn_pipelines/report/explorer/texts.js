// Filled with the texts.
