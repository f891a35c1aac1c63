"""What is judged in measurements: real enough that every step of a judgement is done."""

REQUIREMENTS = "Must have:\n- Python, 3 years\n- PostgreSQL\n- Docker\nNice to have:\n- Kafka\n"
_WORK = "Developer. 2016 - 2024: Python, Django, PostgreSQL and Docker every day.\n"
_MORE = "Led a team of four, wrote services for logistics and kept them running.\n"


def resume(number: int) -> str:
    """About 1.5 kB; each number's text is another, so that no judgement is reused."""
    return f"Applicant {number}.\n{_WORK}{_MORE * 19}"
