"""OpenAI's Agents API (beta): saved agents."""
