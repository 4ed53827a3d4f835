"""Training."""

from django.apps import AppConfig


class TrainingConfig(AppConfig):
    """Modules, quizzes and certifications."""

    name = "training"
