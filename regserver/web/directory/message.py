"""Everything the directory says, in the languages it has message files for: the one table they are all made from.

A message is the headline, the detail explains it. The English texts that the seed prints stand here as it has them.
"""

from typing import Literal

import msgspec

from regserver.domain.directory import SignUpFault

MessageId = Literal[
    "INIT_DONE",
    "INVALID_USER_NAME",
    "RESERVED_USER_NAME",
    "EXISTING_USER_NAME",
    "INVALID_PASSWORD",
    "INVALID_EMAIL",
    "EXISTING_EMAIL",
    "INVALID_DATA",
    "INVALID_JSON_REQUEST",
    "INVALID_CHALLENGE",
    "NO_PENDING_CREATION",
    "ALREADY_CONFIRMED",
    "UNKOWN_USER_NAME",
    "INVALID_TRUSTED_KEY",
    "BAD_CONTENT_TYPE",
    "BODY_TOO_LARGE",
    "TOO_MANY_REQUESTS",
    "INTERNAL_ERROR",
]
"""What this door says, as its clients read it; the spelling of UNKOWN_USER_NAME is the seed's."""

FAULT_IDS: dict[SignUpFault, MessageId] = {
    "bad_name": "INVALID_USER_NAME",
    "reserved_name": "RESERVED_USER_NAME",
    "taken_name": "EXISTING_USER_NAME",
    "bad_password": "INVALID_PASSWORD",
    "bad_email": "INVALID_EMAIL",
    "taken_email": "EXISTING_EMAIL",
}

FileLanguage = Literal["en", "fr"]


class Message(msgspec.Struct, frozen=True):
    message: str
    detail: str


MESSAGES: dict[MessageId, dict[FileLanguage, Message]] = {
    "INIT_DONE": {
        "en": Message("Registration started", "An e-mail has been sent, check your mailbox to confirm."),
        "fr": Message(
            "Inscription commencée",
            "Un e-mail vous a été envoyé, consultez votre boîte aux lettres pour confirmer.",
        ),
    },
    "INVALID_USER_NAME": {
        "en": Message("Invalid user name", "User name must be made of 5 to 21 alphanumeric characters."),
        "fr": Message(
            "Nom d'utilisateur non valide",
            "Le nom d'utilisateur doit être composé de 5 à 21 caractères alphanumériques.",
        ),
    },
    "RESERVED_USER_NAME": {
        "en": Message("Reserved user name", "This user name is reserved, please choose another one."),
        "fr": Message(
            "Nom d'utilisateur réservé", "Ce nom d'utilisateur est réservé, veuillez en choisir un autre."
        ),
    },
    "EXISTING_USER_NAME": {
        "en": Message("Existing user name", "This user name is already used, please choose another one."),
        "fr": Message(
            "Nom d'utilisateur existant",
            "Ce nom d'utilisateur est déjà utilisé, veuillez en choisir un autre.",
        ),
    },
    "INVALID_PASSWORD": {
        "en": Message(
            "Invalid password",
            "Password must be between 6 and 99 characters, with no space at either end.",
        ),
        "fr": Message(
            "Mot de passe non valide",
            "Le mot de passe doit compter de 6 à 99 caractères, sans espace au début ni à la fin.",
        ),
    },
    "INVALID_EMAIL": {
        "en": Message("Invalid email adress", "E-mail address format not recognized"),
        "fr": Message("Adresse e-mail non valide", "Le format de l'adresse e-mail n'est pas reconnu."),
    },
    "EXISTING_EMAIL": {
        "en": Message("Existing e-mail address", "This e-mail address is already used by another user."),
        "fr": Message(
            "Adresse e-mail existante", "Cette adresse e-mail est déjà utilisée par un autre utilisateur."
        ),
    },
    "INVALID_DATA": {
        "en": Message("Invalid Data", "Some of the data transmited is invalid."),
        "fr": Message("Données non valides", "Certaines des données transmises ne sont pas valides."),
    },
    "INVALID_JSON_REQUEST": {
        "en": Message("Invalid JSON request", "The body of the request must be a JSON object."),
        "fr": Message("Requête JSON non valide", "Le corps de la requête doit être un objet JSON."),
    },
    "INVALID_CHALLENGE": {
        "en": Message("Invalid challenge", "The confirmation code is badly formatted."),
        "fr": Message("Code non valide", "Le code de confirmation est mal formé."),
    },
    "NO_PENDING_CREATION": {
        "en": Message(
            "No pending user creation",
            "There is no pending user creation for this code. Confirmations must be done within 24 hours.",
        ),
        "fr": Message(
            "Aucune inscription en attente",
            "Aucune inscription n'est en attente pour ce code. La confirmation doit se faire dans les 24 heures.",
        ),
    },
    "ALREADY_CONFIRMED": {
        "en": Message("Already confirmed", "The registration for this user has already been confirmed."),
        "fr": Message("Déjà confirmé", "L'inscription de cet utilisateur a déjà été confirmée."),
    },
    "UNKOWN_USER_NAME": {
        "en": Message("Unknown user name", "There is no user with this name."),
        "fr": Message("Nom d'utilisateur inconnu", "Aucun utilisateur ne porte ce nom."),
    },
    "INVALID_TRUSTED_KEY": {
        "en": Message("Invalid key", "The key of the trusted platform is not the right one."),
        "fr": Message("Clé non valide", "La clé de la plateforme de confiance n'est pas la bonne."),
    },
    "BAD_CONTENT_TYPE": {
        "en": Message("Unsupported content type", "Send the data as JSON or as a form."),
        "fr": Message(
            "Type de contenu non pris en charge", "Envoyez les données en JSON ou sous forme de formulaire."
        ),
    },
    "BODY_TOO_LARGE": {
        "en": Message("Request too large", "The body of the request is too long."),
        "fr": Message("Requête trop grande", "Le corps de la requête est trop long."),
    },
    "TOO_MANY_REQUESTS": {
        "en": Message("Too many requests", "Please wait a moment before you try again."),
        "fr": Message("Trop de requêtes", "Veuillez patienter un instant avant de réessayer."),
    },
    "INTERNAL_ERROR": {
        "en": Message("Internal error", "Something went bad on the server."),
        "fr": Message("Erreur interne", "Un problème est survenu sur le serveur."),
    },
}
