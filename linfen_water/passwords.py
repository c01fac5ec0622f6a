"""Rules of passwords, where Django's own words are not all in Chinese."""

from django.contrib.auth.password_validation import MinimumLengthValidator


class LongEnoughValidator(MinimumLengthValidator):
    def get_error_message(self):
        return f"密码太短，至少要 {self.min_length} 个字符。"
