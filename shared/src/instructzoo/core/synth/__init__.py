"""Teachers that answer prompts, and the journal that keeps what they said. Pipelines over them are the domains'."""

from instructzoo.core.synth.journal import Journalled, journalled
from instructzoo.core.synth.teacher import Settings as TeacherSettings
from instructzoo.core.synth.teacher import Teacher

__all__ = ["Journalled", "Teacher", "TeacherSettings", "journalled"]
