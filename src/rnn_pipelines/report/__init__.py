"""The parts of all reports: the page, the style of figures, tables. Independent of the tasks."""
