"""Common parts of all doors: routes, dispatcher, bodies, tokens, rate limits, cross-origin rules, API documents."""
