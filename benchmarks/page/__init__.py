"""The page in Chromium: what a first visit loads, paints, and how it copes with many posts."""
