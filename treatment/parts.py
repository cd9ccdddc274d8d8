"""What later apps hang on the parts of a plan."""
from treatment.hooks import part_facts


def facts_of(plan):
    """{key of a phase or goal: [HeaderFact]}"""
    found = {}
    for told in part_facts(plan):
        for key, facts in told.items():
            found.setdefault(key, []).extend(facts)
    return found
