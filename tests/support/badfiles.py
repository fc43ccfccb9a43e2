"""Files from which no song can be heard: each must give one ``DecodeError``, and soon."""

from __future__ import annotations

import os
import struct
import zipfile
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from support.audiofiles import sine, write_audio, write_video

RATE = 44_100


def png_bytes() -> bytes:
    """Return a small PNG image."""
    codec = av.CodecContext.create("png", "w")
    codec.width, codec.height, codec.pix_fmt = 64, 64, "rgb24"
    codec.time_base = Fraction(1, 25)
    image = np.random.default_rng(3).integers(0, 255, (64, 64, 3), np.uint8)
    packets = codec.encode(av.VideoFrame.from_ndarray(image, format="rgb24"))
    return b"".join(bytes(packet) for packet in packets)


def wav_bytes(
    data: bytes, *, rate: int = RATE, channels: int = 1, bits: int = 16, tag: int = 1
) -> bytes:
    """Return a RIFF WAVE file with exactly these header fields before ``data``."""
    align = max(1, channels * bits // 8)
    fields = struct.pack("<HHIIHH", tag, channels, rate, rate * align % 2**32, align, bits)
    body = b"WAVEfmt " + struct.pack("<I", len(fields)) + fields
    body += b"data" + struct.pack("<I", len(data)) + data
    return b"RIFF" + struct.pack("<I", len(body)) + body


def encrypted_m4a(plain: bytes) -> bytes:
    """Return an m4a file with its sample entry renamed as FairPlay does."""
    at = plain.index(b"stsd")
    entry = plain.index(b"mp4a", at)
    return plain[:entry] + b"drms" + plain[entry + 4 :]


def encrypted_wma(plain: bytes) -> bytes:
    """Return a wma file with the header object by which Windows Media DRM names its key."""
    fields = (b"\0" * 4, b"DRM\0", b"key\0", b"http://127.0.0.1/\0")
    body = b"".join(struct.pack("<I", len(field)) + field for field in fields)
    guid = bytes.fromhex("fbb3112223bdd211b4b700a0c955fc6e")
    added = guid + struct.pack("<Q", 24 + len(body)) + body
    size, objects = struct.unpack_from("<QI", plain, 16)
    header = plain[:16] + struct.pack("<QI", size + len(added), objects + 1) + plain[28:30]
    return header + added + plain[30:]


def make_bad_files(folder: str | Path) -> list[Path]:
    """Make every kind of bad file in ``folder`` and return their paths.

    Some are no files: a folder, a pipe (where the system has them), a broken link, and one path
    that leads nowhere.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    good = write_audio(folder / "good.mp3", sine(2, RATE), RATE)
    song = good.name
    rng = np.random.default_rng(7)
    png = png_bytes()
    m4a = write_audio(folder / "good.m4a", sine(2, RATE), RATE).read_bytes()
    flac = write_audio(folder / "good.flac", sine(2, RATE), RATE).read_bytes()
    wma = write_audio(folder / "good.wma", sine(2, RATE), RATE).read_bytes()
    mp3 = good.read_bytes()
    with zipfile.ZipFile(folder / "zip.m4a", "w") as archive:
        archive.writestr("song.txt", rng.bytes(50_000))

    frames = flac.index(b"\xff\xf8", 42)
    contents = {
        "empty.mp3": b"",
        "one_byte.mp3": b"\xff",
        "text.mp3": b"This is no song. " * 500,
        "latin1_text.wav": "Größe der Lieder, sehr schön. ".encode("latin-1") * 200,
        "web_page.mp3": b"<!DOCTYPE html><html><body>404</body></html>",
        "playlist.m3u8": (
            f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:2,\n{song}\n#EXT-X-ENDLIST\n".encode()
        ),
        "playlist.mp3": f"#EXTM3U\n#EXT-X-VERSION:3\n#EXTINF:2,\n{good}\n".encode(),
        "list.ffconcat": f"ffconcat version 1.0\nfile {song}\n".encode(),
        "list.mp3": f"ffconcat version 1.0\nfile '{good}'\n".encode(),
        "playlist.pls": f"[playlist]\nFile1={song}\nNumberOfEntries=1\n".encode(),
        "playlist.xspf": b'<?xml version="1.0"?>\n<playlist version="1"><trackList/></playlist>',
        "playlist.wpl": b'<?wpl version="1.0"?>\n<smil><head/></smil>\n',
        "sheet.cue": b'REM GENRE Jazz\r\nFILE "good.mp3" MP3\r\n  TRACK 01 AUDIO\r\n',
        "._good.mp3": b"\x00\x05\x16\x07\x00\x02\x00\x00Mac OS X" + bytes(4_000),
        "sdp.mp3": b"v=0\no=- 0 0 IN IP4 127.0.0.1\ns=x\nm=audio 5004 RTP/AVP 0\n",
        "image.mp3": png,
        "image.flac": b"\xff\xd8\xff\xe0\x00\x10JFIF\x00" + rng.bytes(20_000),
        "image.ogg": b"GIF89a" + rng.bytes(5_000),
        "document.mp3": b"%PDF-1.7\n" + rng.bytes(60_000),
        "program.wav": b"\x7fELF\x02\x01\x01" + rng.bytes(90_000),
        "score.mp3": b"MThd\x00\x00\x00\x06\x00\x00\x00\x01\x00\x60MTrk" + rng.bytes(300),
        "zeros.wav": bytes(50_000),
        "random_small.mp3": rng.bytes(700),
        "random.mp3": rng.bytes(300_000),
        "random.wav": rng.bytes(100_000),
        "random.m4a": rng.bytes(100_000),
        "random.ogg": b"OggS" + rng.bytes(100_000),
        "random.flac": b"fLaC" + rng.bytes(100_000),
        "cover_only.mp3": _id3_with_cover(png),
        "tag_only.mp3": b"ID3\x03\x00\x00\x00\x00\x00\x0a" + bytes(10),
        "no_samples.wav": wav_bytes(b""),
        "cut_header.wav": wav_bytes(bytes(200))[:30],
        "not_a_number.wav": wav_bytes(np.full(9_000, np.nan, "<f4").tobytes(), bits=32, tag=3),
        "infinite.wav": wav_bytes(np.full(9_000, -np.inf, "<f4").tobytes(), bits=32, tag=3),
        "60_channels.wav": wav_bytes(bytes(120 * 400), channels=60),
        "no_channels.wav": wav_bytes(bytes(4_000), channels=0),
        "rate_0.wav": wav_bytes(bytes(4_000), rate=0),
        "rate_1.wav": wav_bytes(bytes(4_000), rate=1),
        "rate_2_billion.wav": wav_bytes(bytes(4_000), rate=2_000_000_000),
        "unknown_codec.wav": wav_bytes(rng.bytes(4_000), tag=0x7777),
        "header_only.flac": flac[:frames],
        "scrambled.flac": flac[:frames] + rng.bytes(40_000),
        "without_index.m4a": m4a[: m4a.index(b"moov") - 4],
        "cut_header.m4a": m4a[:20],
        "encrypted.m4p": encrypted_m4a(m4a),
        "encrypted.wma": encrypted_wma(wma),
        "scrap.mp3": mp3[mp3.index(b"\xff\xfb") :][:1_000],
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    (folder / "good.m4a").unlink()
    (folder / "good.wma").unlink()
    (folder / "good.flac").unlink()  # good.mp3 stays: playlists must name a song that is there

    bad = [folder / name for name in contents]
    bad.append(folder / "zip.m4a")
    bad.append(write_video(folder / "no_sound.mp4", None, RATE))
    bad.append(write_video(folder / "no_sound.mkv", None, RATE))
    bad.append(folder / "missing.mp3")
    (folder / "folder.mp3").mkdir()
    bad.append(folder / "folder.mp3")
    (folder / "broken_link.mp3").symlink_to(folder / "nowhere.mp3")
    bad.append(folder / "broken_link.mp3")
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.mp3")
        bad.append(folder / "pipe.mp3")
    return bad


def _id3_with_cover(image: bytes) -> bytes:
    body = b"\x00image/png\x00\x03\x00" + image
    frame = b"APIC" + struct.pack(">I", len(body)) + b"\x00\x00" + body
    size = len(frame)
    sync_safe = bytes((size >> shift) & 0x7F for shift in (21, 14, 7, 0))
    return b"ID3\x03\x00\x00" + sync_safe + frame
