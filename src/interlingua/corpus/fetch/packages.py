"""Packages of Debian whose message catalogues reach many languages."""

from __future__ import annotations

# Programs translated by large communities, each with its catalogues inside: 50 to 130 locales.
PROGRAMS = (
    "abiword-common",
    "apt",
    "aptitude-common",
    "audacity-data",
    "bash",
    "binutils-common",
    "brasero-common",
    "caja-common",
    "cinnamon-l10n",
    "coreutils",
    "debconf-i18n",
    "digikam-data",
    "dpkg",
    "epiphany-browser-data",
    "evince-common",
    "evolution-common",
    "evolution-data-server-common",
    "filezilla-common",
    "gedit-common",
    "gettext",
    "gimp-data",
    "git",
    "gnome-control-center-data",
    "gnome-panel-data",
    "gnome-shell-common",
    "gnucash-common",
    "gnumeric-common",
    "gnupg-l10n",
    "gramps",
    "inkscape",
    "iso-codes",
    "k3b-i18n",
    "kate5-data",
    "kdenlive-data",
    "krita-l10n",
    "libapt-pkg6.0",
    "libc-l10n",
    "libglib2.0-data",
    "libgtk-3-common",
    "libgtk2.0-common",
    "libkf5i18n-data",
    "libkf5xmlgui-data",
    "mate-control-center-common",
    "mc-data",
    "nautilus-data",
    "okular",
    "orca",
    "pidgin-data",
    "rhythmbox-data",
    "step",
    "synaptic",
    "totem-common",
    "tuxpaint-data",
    "util-linux-locales",
    "vlc-l10n",
    "wx3.2-i18n",
    "xkb-data",
)

# LibreOffice has one package a language, with 20,000 to 40,000 messages each; these are the
# languages that little else reaches.
# fmt: off
_OFFICE_LANGUAGES = (
    "af", "am", "as", "ast", "be", "bn", "br", "cy", "eo", "eu", "ga", "gd", "gl", "gu", "is", "ka",
    "kk", "km", "kmr", "kn", "mk", "ml", "mn", "mr", "ne", "nn", "nso", "oc", "om", "rw", "si",
    "ta", "te", "tg", "ts", "ug", "uz", "xh", "zu",
)
# fmt: on
OFFICE = tuple(f"libreoffice-l10n-{language}" for language in _OFFICE_LANGUAGES)

DEFAULT = (*PROGRAMS, *OFFICE)

__all__ = ["DEFAULT", "OFFICE", "PROGRAMS"]
