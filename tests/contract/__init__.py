"""One law for every dialect: what was applied is what is live, and the next plan is empty and sends no write."""
