from milestones.models.adjustment import Adjustment
from milestones.models.alert import MilestoneAlert, MilestoneSnooze
from milestones.models.approval import Approval
from milestones.models.comment import Comment
from milestones.models.evidence import Evidence
from milestones.models.milestone import Milestone
from milestones.models.milestone_set import MilestoneSet, MilestoneTemplate
from milestones.models.news import MilestoneNews, News, Way
from milestones.models.news_message import NewsMessage
from milestones.models.task import Task
from milestones.models.task_update import TaskUpdate
from milestones.models.time_entry import TimeEntry, TimeWithdrawal
from milestones.models.types import MilestoneType

__all__ = [
    "Adjustment", "Approval", "Comment", "Evidence", "Milestone", "MilestoneAlert", "MilestoneNews", "MilestoneSet",
    "MilestoneSnooze", "MilestoneTemplate", "MilestoneType", "News", "NewsMessage", "Task", "TaskUpdate", "TimeEntry",
    "TimeWithdrawal", "Way"]
