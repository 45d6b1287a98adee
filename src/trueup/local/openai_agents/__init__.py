"""The embedded server of OpenAI's Agents API (beta): saved agents."""

from trueup.local.openai_agents.server import Server

__all__ = ["Server"]
