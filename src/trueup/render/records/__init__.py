"""Answers for machines: JSON, annotations, SARIF, JUnit."""
