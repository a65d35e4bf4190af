"""Teachers that answer prompts, and the journal that keeps what they said. Pipelines over them are the domains'."""

from instructzoo.core.synth.response_cache import CachedTeacher, with_cache
from instructzoo.core.synth.teacher import Settings as TeacherSettings
from instructzoo.core.synth.teacher import Teacher

__all__ = ["CachedTeacher", "Teacher", "TeacherSettings", "with_cache"]
