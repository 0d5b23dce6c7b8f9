"""What all doors share: routes, the dispatcher, bodies, tokens, limits, the rules for other sites, the documents."""
