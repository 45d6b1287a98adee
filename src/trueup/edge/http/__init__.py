"""The way to a server: connections, proxies, certificates and credentials."""
