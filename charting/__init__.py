"""Teeth and surfaces, findings, periodontal exams, clinical notes, images."""
