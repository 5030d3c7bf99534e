// Every word that the printed closing sheet has in its three languages. The words for reasons and streams are those of
// the archive's pages (a test compares them).
#ifndef GREFFE_INGEST_SHEET_WORDS_H
#define GREFFE_INGEST_SHEET_WORDS_H

#include <optional>
#include <string>
#include <string_view>

#include "archive/format/entries.h"

namespace greffe::ingest {

enum class Language { zh, fr, en };
std::string_view tag_of(Language language);                      // "zh", "fr", "en"
std::optional<Language> language_of(std::string_view tag);       // exactly one of those tags
// Of a BCP 47 tag such as "fr-CA"; English for what the pages do not speak.
Language nearest_language(std::string_view tag);

struct SheetWords {
  std::string_view title, cases, matter, parties, judges, clerk, publicity, is_public, not_public, court_and_room;
  std::string_view corrected, corrected_says;
  std::string_view recorded_from, recorded_to, length, zone_utc, continues;
  std::string_view interruptions, no_interruption, number, from, to, reason, streams, person, note, lawful, all_streams;
  std::string_view recordings, stream, recorded, lawful_time, other_time, whole, media, pieces, adds_up, short_remainder;
  std::string_view proof, integrity_value, entries, hearing, recorder, recorder_key, how_to_check, code_label;
  std::string_view signatures, signatures_say, role, name, signature, judge, clerk_role;
  std::string_view comma, open_bracket, close_bracket, decimal_sign;
};
const SheetWords& words_in(Language language);

std::string_view reason_word(std::string_view reason, Language language);
// "Camera: bench", "Micro : juge", "话筒 2": of a stream by its code; `number` (from 1) names it where no word does.
std::string stream_name(const ExpectedStream& stream, std::size_t number, Language language);
// "22 November 2026", "22 novembre 2026", "2026年11月22日".
std::string date_words(int year, int month, int day, Language language);

}  // namespace greffe::ingest

#endif
