"""Pages as markdown and as HTML."""
