# SPDX-License-Identifier: Apache-2.0
"""What the synthetic voices say that is not a keyword: everyday sentences and words in several languages."""

from __future__ import annotations

from collections.abc import Mapping

SENTENCES: Mapping[str, tuple[str, ...]] = {
    "en": (
        "The train to the coast leaves at a quarter past nine.",
        "Please remember to buy some bread and milk after work.",
        "We measured the temperature of the water three times.",
        "Her brother plays the violin in a small orchestra.",
        "The weather will be cloudy with a little rain in the evening.",
        "I think this machine needs a new filter before winter.",
        "Could you tell me where the nearest post office is?",
        "They painted the old boat blue and white last summer.",
        "My neighbour grows tomatoes, beans and a lot of garlic.",
        "It takes about twenty minutes to walk to the station.",
        "The meeting was moved to Thursday because of the holiday.",
        "Nobody knew why the printer had stopped making that noise.",
        "A book about the history of bridges lay open on the table.",
        "Children were laughing and running around the fountain.",
        "He ordered soup, a salad and a cup of black coffee.",
        "Most of these parts are made of plastic and thin metal.",
        "The radio said that the road over the mountain is closed.",
        "If the battery is low, the device will sound an alarm.",
        "She wrote a long letter to her aunt in Canada.",
        "This river becomes very wide when the snow melts.",
    ),
    "de": (
        "Der Zug nach Hamburg fährt heute von einem anderen Gleis.",
        "Kannst du mir bitte sagen, wie spät es ist?",
        "Wir haben gestern lange über das Wetter gesprochen.",
        "Im Garten wachsen Äpfel, Birnen und Kirschen.",
    ),
    "fr-fr": (
        "Le marché ouvre tous les matins à huit heures.",
        "Nous avons marché longtemps au bord de la rivière.",
        "Pouvez-vous fermer la fenêtre, il fait froid ici.",
        "Ma soeur travaille dans une grande bibliothèque.",
    ),
    "es": (
        "El autobús llega siempre tarde los lunes por la mañana.",
        "Mañana vamos a visitar a nuestros abuelos en el pueblo.",
        "La sopa está muy caliente, espera un momento.",
        "En esta calle hay muchas tiendas pequeñas.",
    ),
    "it": (
        "La stazione si trova dietro la piazza principale.",
        "Domani mattina compriamo il pane e la frutta.",
        "Questo libro racconta la storia di una famiglia.",
    ),
    "tr": (
        "Bugün hava çok güzel, parkta yürüyelim mi?",
        "Kütüphane akşam saat yediye kadar çalışıyor.",
        "Kardeşim her sabah bisikletle okula gidiyor.",
    ),
    "fa": (
        "امروز هوا سرد است و باران می‌بارد.",
        "کتاب روی میز کنار پنجره است.",
        "قطار ساعت هفت به شهر می‌رسد.",
    ),
    "ar": (
        "واحد اثنان ثلاثة أربعة خمسة ستة سبعة.",
        "ثمانية تسعة عشرة مئة ألف.",
        "ذهب الولد إلى المدرسة مع صديقه في الصباح.",
        "القهوة ساخنة والخبز على الطاولة.",
        "كتب المهندس رسالة طويلة عن الجسر القديم.",
        "السماء زرقاء والبحر هادئ اليوم.",
    ),
    "ru": (
        "Поезд приходит на вокзал в семь часов вечера.",
        "Мы долго гуляли по старому городу.",
        "В магазине продают хлеб, сыр и яблоки.",
    ),
    "hi": (
        "आज मौसम बहुत अच्छा है।",
        "वह हर सुबह बाजार जाता है।",
        "यह किताब मेरी बहन की है।",
    ),
    "pt-br": (
        "O menino comprou uma bicicleta azul na cidade.",
        "Amanhã vai chover durante a tarde inteira.",
    ),
    "pl": (
        "Jutro rano pojedziemy pociągiem do Krakowa.",
        "Na stole leży książka i dwa jabłka.",
    ),
}

# Short words: isolated, they are what is most easily taken for a keyword. The last three rows are Arabic commands
# and numbers that are none of the model's.
ARABIC_WORDS = (
    "صباح", "مساء", "شكرا", "كتاب", "باب", "سيارة", "مدرسة", "بيت", "طريق", "مدينة", "شجرة", "قمر", "شمس", "ماء",
    "خبز", "قلم", "ورقة", "طاولة", "كرسي", "هاتف", "ساعة", "يوم", "شهر", "سنة", "أخضر", "أحمر", "كبير", "صغير",
    "جديد", "قديم", "سريع", "صديق", "رجل", "طفل", "طبيب", "جسر", "بحر", "جبل", "صوت", "ضوء",
    "صفر", "واحد", "اثنان", "ثلاثة", "أربعة", "خمسة", "ستة", "سبعة", "ثمانية", "تسعة",
    "موافق", "إلغاء", "فتح", "إغلاق", "تكبير", "تصغير", "السابق", "التالي", "إرسال", "استقبال", "تحريك", "تدوير",
    "تسجيل", "إدخال", "رقم", "اتجاه", "خيارات", "تراجع", "أمام", "خلف",
)  # fmt: skip

WORDS = (
    "apple", "about", "bird", "bread", "bridge", "butter", "candle", "carpet", "chair", "cheese", "circle", "coffee",
    "corner", "dinner", "doctor", "dragon", "engine", "evening", "family", "finger", "flower", "forest", "garden",
    "glass", "hammer", "harbour", "house", "island", "jacket", "kitchen", "ladder", "letter", "marvin", "mirror",
    "morning", "mountain", "number", "orange", "paper", "pencil", "people", "picture", "pocket", "question", "rabbit",
    "river", "saddle", "season", "sheila", "silver", "summer", "table", "thunder", "ticket", "tree", "visual", "water",
    "window", "winter", "wow", "yellow", "backward", "forward", "follow", "learn", "zero", "five", "seven",
)  # fmt: skip
