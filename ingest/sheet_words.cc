#include "ingest/sheet_words.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <vector>

namespace greffe::ingest {
namespace {

using Triple = std::array<std::string_view, 3>;  // in the order of Language

struct Word {
  std::string_view code;
  Triple text;
};

constexpr Word kReasons[] = {
    {"recess", {"休庭", "suspension", "recess"}},
    {"closed-evidence", {"不公开举证", "preuve à huis clos", "evidence in camera"}},
    {"mediation", {"调解", "conciliation", "mediation"}},
    {"fault", {"设备故障", "panne du matériel", "equipment fault"}},
    {"power", {"断电", "coupure de courant", "power failure"}},
    {"network", {"网络故障", "panne du réseau", "network failure"}},
    {"no-signal", {"无信号", "pas de signal", "no signal"}},
    {"operator", {"人工停止", "arrêt manuel", "stopped by hand"}},
    {"unknown", {"原因不明", "cause inconnue", "cause unknown"}},
};

constexpr Word kPlaces[] = {
    {"bench", {"审判席", "tribunal", "bench"}},
    {"judge", {"法官", "juge", "judge"}},
    {"presiding", {"审判长", "président", "presiding judge"}},
    {"clerk", {"书记员", "greffier", "clerk"}},
    {"witness", {"证人席", "témoin", "witness"}},
    {"parties", {"当事人席", "parties", "parties"}},
    {"speaker", {"发言席", "orateur", "speaker"}},
    {"party", {"当事人席", "partie", "party"}},
    {"plaintiff", {"原告席", "demandeur", "plaintiff"}},
    {"claimant", {"原告席", "demandeur", "claimant"}},
    {"defendant", {"被告席", "défendeur", "defendant"}},
    {"prosecutor", {"公诉席", "ministère public", "prosecutor"}},
    {"defence", {"辩护席", "défense", "defence"}},
    {"counsel", {"代理人席", "avocats", "counsel"}},
    {"bar", {"发言席", "barre", "bar"}},
    {"room", {"全景", "salle", "room"}},
    {"hall", {"大厅", "salle", "hall"}},
    {"wide", {"全景", "vue d’ensemble", "whole room"}},
    {"public", {"旁听席", "public", "public"}},
    {"gallery", {"旁听席", "public", "gallery"}},
    {"dock", {"被告人席", "box", "dock"}},
    {"left", {"左", "gauche", "left"}},
    {"right", {"右", "droite", "right"}},
    {"front", {"前", "avant", "front"}},
    {"back", {"后", "arrière", "back"}},
    {"screen", {"屏幕", "écran", "screen"}},
    {"evidence", {"证据", "pièces", "evidence"}},
    {"remote", {"远程", "à distance", "remote"}},
    {"interpreter", {"翻译", "interprète", "interpreter"}},
    {"lectern", {"发言台", "pupitre", "lectern"}},
    {"main", {"主", "principale", "main"}},
};

constexpr Triple kCamera = {"摄像机", "Caméra", "Camera"};
constexpr Triple kMicrophone = {"话筒", "Micro", "Microphone"};
constexpr Triple kScreen = {"屏幕", "Écran", "Screen"};
constexpr Triple kColon = {"：", "\u00A0: ", ": "};

constexpr std::string_view kMonths[2][12] = {
    {"janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre", "novembre", "décembre"},
    {"January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November", "December"}};

std::size_t index_of(Language language) { return static_cast<std::size_t>(language); }

template <std::size_t N>
std::string_view find(const Word (&words)[N], std::string_view code, Language language) {
  for (const Word& word : words) {
    if (word.code == code) return word.text[index_of(language)];
  }
  return {};
}

std::vector<std::string_view> split(std::string_view text) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t dash = text.find('-');
    out.push_back(text.substr(0, dash));
    if (dash == std::string_view::npos) return out;
    text.remove_prefix(dash + 1);
  }
}

bool is_number(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
}

// "cam", "mic2": says what the medium says already.
bool is_kind(std::string_view word) {
  while (!word.empty() && word.back() >= '0' && word.back() <= '9') word.remove_suffix(1);
  constexpr std::string_view kKinds[] = {"cam", "camera", "mic", "microphone", "video", "audio", "screen", "track"};
  return std::find(std::begin(kKinds), std::end(kKinds), word) != std::end(kKinds);
}

constexpr SheetWords kChinese = {
    .title = "庭审录音录像情况单", .cases = "案号", .matter = "案由", .parties = "当事人", .judges = "法官",
    .clerk = "书记员", .publicity = "公开情况", .is_public = "公开审理", .not_public = "不公开审理", .court_and_room = "法院、法庭",
    .corrected = "案件更正", .corrected_says = "庭审中更正了所选案件；原先所选仍留在已签名的清单中。",
    .recorded_from = "录制开始", .recorded_to = "录制结束", .length = "时长", .zone_utc = "协调世界时", .continues = "续前次庭审",
    .interruptions = "录制中断情况", .no_interruption = "全程录制，无中断。", .number = "序号", .from = "起", .to = "止", .reason = "原因",
    .streams = "通道", .person = "登记人", .note = "说明", .lawful = "依法中断", .all_streams = "全部通道",
    .recordings = "各通道录制情况", .stream = "通道", .recorded = "已录制", .lawful_time = "依法中断", .other_time = "其他中断", .whole = "合计",
    .media = "数据量", .pieces = "段数",
    .adds_up = "时长以“时:分:秒”表示。每一通道：已录制、依法中断与其他中断相加，等于合计时长。",
    .short_remainder = "不足一秒的其他中断，系各通道并非同一瞬间开始和结束所致。",
    .proof = "核验证明", .integrity_value = "完整性校验值", .entries = "清单记录条数", .hearing = "庭审编号", .recorder = "录制设备",
    .recorder_key = "录制设备公钥",
    .how_to_check = "核验方法：扫描二维码并将所得文字存为文件，再用 greffe-verify --sheet 连同法院提供的庭审导出件一并核验；录制内容如有任何改动，"
                    "结果即不再为 VERIFIED。",
    .code_label = "完整性校验值及录制设备签名的二维码",
    .signatures = "签名确认", .signatures_say = "下列人员已收到上述完整性校验值，并签名确认。", .role = "诉讼地位", .name = "姓名",
    .signature = "签名、日期", .judge = "法官", .clerk_role = "书记员",
    .comma = "，", .open_bracket = "（", .close_bracket = "）", .decimal_sign = "."};

constexpr SheetWords kFrench = {
    .title = "Fiche d’enregistrement de l’audience", .cases = "Numéros d’affaire", .matter = "Intitulé",
    .parties = "Parties", .judges = "Juges", .clerk = "Greffier", .publicity = "Publicité", .is_public = "Audience publique",
    .not_public = "Huis clos", .court_and_room = "Juridiction, salle",
    .corrected = "Affaire rectifiée",
    .corrected_says = "Choix rectifié pendant l’enregistrement\u00A0; le choix précédent reste dans la liste signée.",
    .recorded_from = "Début de l’enregistrement", .recorded_to = "Fin de l’enregistrement", .length = "Durée", .zone_utc = "temps universel",
    .continues = "Suite de l’audience",
    .interruptions = "Interruptions", .no_interruption = "L’audience a été enregistrée sans interruption.", .number = "N°", .from = "De",
    .to = "À", .reason = "Motif", .streams = "Pistes", .person = "Déclarée par", .note = "Explication", .lawful = "motif légal",
    .all_streams = "toutes les pistes",
    .recordings = "Ce qui a été enregistré, par piste", .stream = "Piste", .recorded = "Enregistré", .lawful_time = "Motif légal",
    .other_time = "Autre motif", .whole = "Total", .media = "Volume", .pieces = "Éléments",
    .adds_up = "Durées en h:min:s. Pour chaque piste, le temps enregistré, non enregistré pour un motif légal et non enregistré pour un autre "
               "motif font ensemble le total.",
    .short_remainder = "Moins d’une seconde sous «\u00A0autre motif\u00A0» vient de ce que les pistes ne commencent et ne finissent pas au même instant.",
    .proof = "Preuve", .integrity_value = "Valeur d’intégrité", .entries = "Entrées de la liste", .hearing = "Audience",
    .recorder = "Enregistreur", .recorder_key = "Clé de l’enregistreur",
    .how_to_check = "Pour vérifier\u00A0: lisez le code avec un téléphone, enregistrez son texte dans un fichier et donnez-le à greffe-verify --sheet "
                    "avec l’export de l’audience que remet le greffe\u00A0; si quoi que ce soit a été modifié, le résultat n’est plus VERIFIED.",
    .code_label = "Code QR de la valeur d’intégrité et de la signature de l’enregistreur",
    .signatures = "Signatures", .signatures_say = "Les soussignés ont reçu la valeur d’intégrité ci-dessus.", .role = "Qualité", .name = "Nom",
    .signature = "Signature, date", .judge = "juge", .clerk_role = "greffier",
    .comma = ", ", .open_bracket = " (", .close_bracket = ")", .decimal_sign = ","};

constexpr SheetWords kEnglish = {
    .title = "Recording sheet of the hearing", .cases = "Case numbers", .matter = "Title", .parties = "Parties",
    .judges = "Judges", .clerk = "Clerk", .publicity = "Publicity", .is_public = "Public hearing", .not_public = "Not public",
    .court_and_room = "Court and room", .corrected = "Case corrected",
    .corrected_says = "Corrected while it was recorded; what was chosen before stays in the signed list.",
    .recorded_from = "Recording began", .recorded_to = "Recording ended", .length = "Length", .zone_utc = "UTC", .continues = "Continues hearing",
    .interruptions = "Interruptions", .no_interruption = "The hearing was recorded without interruption.", .number = "No.", .from = "From",
    .to = "To", .reason = "Reason", .streams = "Streams", .person = "Declared by", .note = "Explanation", .lawful = "lawful reason",
    .all_streams = "all streams",
    .recordings = "What was recorded, by stream", .stream = "Stream", .recorded = "Recorded", .lawful_time = "Lawful reason",
    .other_time = "Other reason", .whole = "Total", .media = "Size", .pieces = "Pieces",
    .adds_up = "Lengths in h:min:s. For every stream, time recorded, not recorded for a lawful reason and not recorded for another add up to "
               "the total.",
    .short_remainder = "Less than a second under “other reason” comes from streams that do not begin and end at the same instant.",
    .proof = "Proof", .integrity_value = "Integrity value", .entries = "Entries of the list", .hearing = "Hearing", .recorder = "Recorder",
    .recorder_key = "Key of the recorder",
    .how_to_check = "To check: read the code with a telephone, save its text in a file, and give it to greffe-verify --sheet together with the "
                    "exported hearing that the court hands out; if anything was changed, the result is no longer VERIFIED.",
    .code_label = "QR code of the integrity value and the recorder’s signature",
    .signatures = "Signatures", .signatures_say = "The undersigned have received the integrity value above.", .role = "Role", .name = "Name",
    .signature = "Signature, date", .judge = "judge", .clerk_role = "clerk",
    .comma = ", ", .open_bracket = " (", .close_bracket = ")", .decimal_sign = "."};

}  // namespace

std::string_view tag_of(Language language) {
  constexpr Triple kTags = {"zh", "fr", "en"};
  return kTags[index_of(language)];
}

std::optional<Language> language_of(std::string_view tag) {
  for (const Language language : {Language::zh, Language::fr, Language::en}) {
    if (tag == tag_of(language)) return language;
  }
  return std::nullopt;
}

Language nearest_language(std::string_view tag) {
  return language_of(tag.substr(0, tag.find('-'))).value_or(Language::en);
}

const SheetWords& words_in(Language language) {
  return language == Language::zh ? kChinese : language == Language::fr ? kFrench : kEnglish;
}

std::string_view reason_word(std::string_view reason, Language language) {
  const std::string_view word = find(kReasons, reason, language);
  return word.empty() ? reason : word;
}

// The same rule as on the archive's pages (web/ui/src/hearing/names.ts).
std::string stream_name(const ExpectedStream& stream, std::size_t number, Language language) {
  const std::size_t i = index_of(language);
  const std::string_view kind = stream.source == "screen" ? kScreen[i] : stream.medium == "video" ? kCamera[i] : kMicrophone[i];
  std::string known;
  bool all_known = true;
  for (const std::string_view word : split(stream.name)) {
    if (is_kind(word)) continue;
    const std::string_view text = is_number(word) ? word : find(kPlaces, word, language);
    all_known = all_known && !text.empty();
    known += fmt::format("{}{}", known.empty() ? "" : " ", text);
  }
  if (all_known && !known.empty() && !is_number(known)) return fmt::format("{}{}{}", kind, kColon[i], known);
  const std::size_t digits = stream.name.find_last_not_of("0123456789") + 1;
  const std::string which = digits < stream.name.size() ? stream.name.substr(digits) : std::to_string(number);
  return fmt::format("{} {}", kind, which);
}

std::string date_words(int year, int month, int day, Language language) {
  if (language == Language::zh) return fmt::format("{}年{}月{}日", year, month, day);
  return fmt::format("{} {} {}", day, kMonths[language == Language::en ? 1 : 0][month - 1], year);
}

}  // namespace greffe::ingest
