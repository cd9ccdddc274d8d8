"""Milestones, tasks, evidence, approvals, time, alerts and reports."""
