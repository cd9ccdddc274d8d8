"""Where all apps meet: settings, urls, roles, navigation, the demo practice, health."""
