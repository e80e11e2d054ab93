"""A folder with one sub-folder of WAVE files per class."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

import numpy as np
import pyarrow as pa

from foretaste.data.arrays import tensor_from_images
from foretaste.data.formats.image_folder import ImageFolderData
from foretaste.data.images import Shape
from foretaste.data.sounds import BANDS, FRAMES, read_wave, spectrogram


class SoundFolderData(ImageFolderData):
    """Sounds in class folders, each seen as a picture of which pitch sounds when. See `DataFile`.

    Columns are ``spectrogram`` (tensors ``[64, 64]`` uint8), ``label`` (the class folder) and ``file``. What
    cannot be decoded is a row without a spectrogram.
    """

    format = "sound-folder"
    suffixes: ClassVar[frozenset[str]] = frozenset({".wav", ".wave"})
    content: ClassVar[str] = "spectrogram"

    def _common_shape(self) -> Shape:
        return (BANDS, FRAMES)

    def _content(self, files: Sequence[Path]) -> pa.Array:
        stack = np.zeros((len(files), BANDS, FRAMES), np.uint8)
        present = np.zeros(len(files), bool)
        for i, file in enumerate(files):
            sound = read_wave(file, self.limits)
            if sound is None:
                self._broken.add(self._name(file))
            else:
                stack[i], present[i] = spectrogram(*sound), True
        return tensor_from_images(stack, present)
