"""From the three sides, file, applied and live, to one plan and its report. Sends nothing."""
