# SPDX-License-Identifier: Apache-2.0
"""What the voices of the streams say between the words: sentences that no training uses, others for each split."""

from __future__ import annotations

from collections.abc import Mapping

# (language of espeak-ng, text); without the keywords in them.
STREAM_SENTENCES: Mapping[str, tuple[tuple[str, str], ...]] = {
    "val": (
        ("en", "Yesterday the bakery on the corner sold all of its cakes before noon."),
        ("en", "A small dog was sleeping in the shade of the old wooden bench."),
        ("en", "Our teacher asked everyone to bring a pencil and two sheets of paper."),
        ("en", "The museum shows pictures that were painted four hundred years ago."),
        ("en", "He repaired the bicycle with a spoon, a piece of wire and much patience."),
        ("en", "In autumn the leaves of this tree turn red and then brown."),
        ("en", "The ferry crosses the lake every hour, even when the wind is strong."),
        ("en", "My grandmother keeps buttons of all colours in a glass jar."),
        ("en", "This computer is slow because too many programs are open."),
        ("en", "They were late since the bus had a flat tyre near the bridge."),
        ("de", "Auf dem Markt gibt es heute frischen Fisch und Gemüse."),
        ("de", "Meine Tante wohnt in einem kleinen Haus am Rand der Stadt."),
        ("fr-fr", "Les enfants jouent dans la cour pendant la pause."),
        ("es", "El perro duerme debajo de la mesa de la cocina."),
        ("ar", "الطقس جميل في هذا الشهر والناس يجلسون في الحديقة."),
        ("ar", "اشترى أخي ثلاثة كتب وقلماً من السوق الكبير."),
    ),
    "test": (
        ("en", "The lighthouse on the cliff can be seen from twenty miles away."),
        ("en", "Could somebody please open a window, it is very warm in this room."),
        ("en", "She collects stamps from countries that do not exist any more."),
        ("en", "After the concert we walked home through the quiet streets."),
        ("en", "A farmer drove his tractor slowly along the narrow road."),
        ("en", "The soup tastes better with pepper and a spoonful of cream."),
        ("en", "Nine engineers worked for three weeks to find the mistake."),
        ("en", "Our dog carried a shoe into the kitchen this morning."),
        ("en", "The last chapter explains how glass was made in ancient times."),
        ("en", "I would like a ticket to the airport and a newspaper, please."),
        ("de", "Im Winter frieren die Seen zu und alle laufen Schlittschuh."),
        ("de", "Der Bäcker beginnt seine Arbeit mitten in der Nacht."),
        ("fr-fr", "Mon voisin répare de vieilles montres dans son atelier."),
        ("es", "La biblioteca cierra a las nueve los días de verano."),
        ("ar", "زارت أختي المتحف القديم مع أولادها صباح الجمعة."),
        ("ar", "شرب الرجل القهوة وقرأ الجريدة قرب النافذة."),
    ),
}
