"""Teachers that answer prompts, and the cache of their responses. The pipelines that use them belong to the domains."""

from instructzoo.core.synth.open import open_teacher
from instructzoo.core.synth.response_cache import CachedTeacher, with_cache
from instructzoo.core.synth.teacher import Settings as TeacherSettings
from instructzoo.core.synth.teacher import Teacher

__all__ = ["CachedTeacher", "Teacher", "TeacherSettings", "open_teacher", "with_cache"]
