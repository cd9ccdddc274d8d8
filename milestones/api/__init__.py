"""The endpoints of milestones."""
from milestones.api import milestones, proof, shared, work

ROUTERS = [milestones.router, work.router, proof.router, shared.router]
