"""The page's own certificate: loaded, tried once in memory, and every trouble told in one sentence.

The standard library can load a certificate and shake hands, and cannot read one; so its times and names are
taken from a handshake with ourselves that trusts this certificate alone.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path
from typing import Final

from koatsu.app.exposure import names_of
from koatsu.clock import JST
from koatsu.config import WebConfig
from koatsu.errors import ConfigError

__all__ = ["Certificate", "CertificateError", "load_certificate", "tls_of"]

SOON: Final = timedelta(days=21)  #: so long before its end a certificate is spoken of

_EXPIRED: Final = 10  # X509_V_ERR_CERT_HAS_EXPIRED
_EARLY: Final = 9  # X509_V_ERR_CERT_NOT_YET_VALID


class CertificateError(ConfigError):
    """The certificate or its key cannot be used."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """A certificate that a server can use; ``names`` are those that it stands for."""

    context: ssl.SSLContext
    path: str
    names: tuple[str, ...]
    until: datetime

    def remarks(self, wanted: Iterable[str], now: datetime, lang: str) -> list[str]:
        """What a person should know although it works: names that it lacks, and an end that is near."""
        ja = lang == "ja"
        said = [
            f"証明書 {self.path} には {name} が入っていません。ブラウザーが警告を出します。" if ja
            else f"The certificate {self.path} is not for {name}: browsers will warn."
            for name in wanted if not self._covers(name)
        ]  # fmt: skip
        if self.until - now < SOON:
            day = self.until.astimezone(JST).date()
            said.append(
                f"証明書 {self.path} の期限は {day} です。" if ja
                else f"The certificate {self.path} expires on {day}."
            )  # fmt: skip
        return said

    def _covers(self, name: str) -> bool:
        if name in self.names:
            return True
        _, _, parent = name.partition(".")
        return bool(parent) and not _is_address(name) and f"*.{parent}" in self.names


def load_certificate(cert: str, key: str) -> Certificate:
    """Load a PEM certificate (with its chain) and its private key.

    Raises:
        CertificateError: a file is missing, is something else, has expired, or is of another pair.
    """
    for path in (cert, key):
        _check_readable(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    try:
        context.load_cert_chain(cert, key, password=_no_password)
    except _ProtectedKeyError:
        raise CertificateError(
            f"The key {key} is protected by a password, which nobody could enter when the program starts.",
            ja=f"秘密鍵 {key} はパスワードで保護されており、自動では起動できません。",
            hint=f"Take the password off: openssl pkey -in {key} -out plain.pem",
            hint_ja=f"パスワードを外してください: openssl pkey -in {key} -out plain.pem",
        ) from None
    except ssl.SSLError as error:
        raise _unfit(cert, key, error) from None
    return _tried(context, cert)


def tls_of(web: WebConfig, say: Callable[[str], object], lang: str) -> ssl.SSLContext | None:
    """What the page speaks https by, ``None`` for http; ``say`` is told what a person should know of it.

    Raises:
        CertificateError: the certificate or its key cannot be used.
    """
    if not web.tls_cert or not web.tls_key:
        return None
    certificate = load_certificate(web.tls_cert, web.tls_key)
    for remark in certificate.remarks(names_of(web), datetime.now(UTC), lang):
        say(remark)
    return certificate.context


class _ProtectedKeyError(Exception):
    """The key wants a password."""


def _no_password() -> str:
    raise _ProtectedKeyError


def _check_readable(path: str) -> None:
    try:
        Path(path).read_bytes()
    except OSError as error:
        reason = error.strerror or str(error)
        raise CertificateError(
            f"{path} cannot be read: {reason}.",
            ja=f"{path} を読めません({reason})。",
            hint="Check tls_cert and tls_key under [web], and who may read the files.",
            hint_ja="[web] の tls_cert と tls_key、およびファイルの読み取り権限を確かめてください。",
        ) from error


def _unfit(cert: str, key: str, error: ssl.SSLError) -> CertificateError:
    if error.reason == "KEY_VALUES_MISMATCH":
        return CertificateError(
            f"The key {key} is not that of the certificate {cert}.",
            ja=f"秘密鍵 {key} は証明書 {cert} のものではありません。",
        )
    text = Path(cert).read_bytes()
    wrong, wanted = (
        (cert, "CERTIFICATE") if b"-----BEGIN CERTIFICATE-----" not in text else (key, "PRIVATE KEY")
    )
    return CertificateError(
        f"{wrong} is not a file with -----BEGIN {wanted}----- in it, or it is damaged.",
        ja=f"{wrong} に -----BEGIN {wanted}----- がないか、内容が壊れています。",
        hint="Allowed: PEM files, the certificate with its chain, and its private key.",
        hint_ja="PEM 形式の証明書(中間証明書を含む)と秘密鍵を指定してください。",
    )


def _tried(context: ssl.SSLContext, cert: str) -> Certificate:
    """Shake hands with ourselves, over memory, and see what the other side is shown."""
    judge = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    judge.check_hostname = False
    judge.load_verify_locations(cert)
    judge.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_client, to_server = ssl.MemoryBIO(), ssl.MemoryBIO()
    client = judge.wrap_bio(to_client, to_server)
    server = context.wrap_bio(to_server, to_client, server_side=True)
    try:
        for _ in range(6):  # a handshake of TLS 1.3 takes three turns
            for side in (client, server):
                try:
                    side.do_handshake()
                except ssl.SSLWantReadError:
                    continue
        shown = client.getpeercert() or {}
    except ssl.SSLCertVerificationError as error:
        raise _refused(cert, error) from None
    names = tuple(str(pair[1]).lower() for pair in shown.get("subjectAltName", ()) if pair[0] != "URI")
    until = datetime.fromtimestamp(ssl.cert_time_to_seconds(str(shown["notAfter"])), UTC)
    return Certificate(context=context, path=cert, names=names, until=until)


def _refused(cert: str, error: ssl.SSLCertVerificationError) -> CertificateError:
    if error.verify_code == _EXPIRED:
        return CertificateError(
            f"The certificate {cert} has expired.",
            ja=f"証明書 {cert} の有効期限が切れています。",
            hint="Renew it, and start again.",
            hint_ja="更新してから、もう一度起動してください。",
        )
    if error.verify_code == _EARLY:
        return CertificateError(
            f"The certificate {cert} is not valid yet, or the clock of this machine is wrong.",
            ja=f"証明書 {cert} はまだ有効になっていません。この機器の時計も確かめてください。",
        )
    return CertificateError(
        f"The certificate {cert} cannot be used: {error.verify_message}.",
        ja=f"証明書 {cert} を使えません({error.verify_message})。",
    )


def _is_address(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
