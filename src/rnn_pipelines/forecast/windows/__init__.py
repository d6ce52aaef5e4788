"""Windows over series: parts, scaling, coding and the array of all windows."""
