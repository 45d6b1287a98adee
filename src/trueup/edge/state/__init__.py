"""What `.trueup/` holds: state, journal, lock, backups and the answers of probes."""
