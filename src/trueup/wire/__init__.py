"""One module for each vendor protocol: calls out, replies in. Knows no transport, no plan and no state."""
