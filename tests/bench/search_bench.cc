// Search over synthetic hearings, beside SQL LIKE over the same texts in the same run. Prints one line a kind of query:
// p50 and p99 of the whole Catalogue::find (page of 50 with its rows, count up to 1,000) and of the LIKE peer.
//
//   bench_search [--rows N] [--queries N] [--seed S] [--keep FILE]
//
// Everything goes through the real builder: documents, signed checkpoints, hearing logs of two entries.
#include <sys/resource.h>
#include <time.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstring>
#include <functional>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "archive/catalogue/catalogue.h"
#include "archive/catalogue/catalogue_builder.h"
#include "archive/catalogue/search_text.h"
#include "archive/catalogue/sqlite.h"
#include "tests/unit/catalogue/world.h"

namespace {

using greffe::HearingId;
using greffe::UtcTime;
using greffe::catalogue::Catalogue;
using greffe::catalogue::CatalogueBuilder;
using greffe::catalogue::Connection;
using greffe::catalogue::CourtSet;
using greffe::catalogue::HearingQuery;

double wall_ms() {
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now().time_since_epoch()).count();
}
double cpu_ms() {
  ::rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e3 + (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e3;
}

// The made-up people and cases of a province: 70 % Chinese, 30 % French.
class Names {
 public:
  explicit Names(unsigned seed) : random_(seed) {}
  unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }
  std::string pick(const std::u32string& from) {
    return greffe::catalogue::utf8(std::u32string(1, from[below(static_cast<unsigned>(from.size()))]));
  }
  std::string pick(const std::vector<std::string>& from) { return from[below(static_cast<unsigned>(from.size()))]; }

  std::string chinese() {
    std::string out = pick(kFamily);
    for (unsigned n = below(4) == 0 ? 1 : 2; n > 0; --n) out += pick(kGiven);
    return out;
  }
  std::string french() {
    std::string family = pick(kSyllables) + pick(kSyllables) + (below(2) == 0 ? pick(kSyllables) : "");
    if (below(3) == 0) family = pick(kFrenchFamily);
    return pick(kFrenchGiven) + " " + family;
  }
  greffe::testing::NewHearing hearing() {
    greffe::testing::NewHearing out;
    const unsigned year = 2012 + below(15);
    out.start = {(static_cast<std::int64_t>(year - 1970) * 31'556'952 + below(31'000'000)) * 1000};
    out.room = "room-" + std::to_string(below(20));
    if (below(10) < 7) {
      const std::string court = std::to_string(1 + below(29));
      out.court = "court-" + court;
      out.case_number = "(" + std::to_string(year) + ")" + pick(kProvince) + (court.size() < 2 ? "0" : "") + court +
                        pick(kTypes) + std::to_string(1 + below(9999)) + "号";
      for (unsigned n = 2 + below(3); n > 0; --n) {
        out.parties.push_back(below(3) != 0 ? chinese() : pick(kCities) + pick(kGiven) + pick(kGiven) + pick(kCompanies));
      }
      out.judge = chinese();
      out.title = pick(kCauses);
    } else {
      char number[16];
      std::snprintf(number, sizeof number, "%02u/%05u", year % 100, 1 + below(99'999));
      out.court = "court-fr-" + std::to_string(below(6));
      out.case_number = std::string("RG ") + number;
      for (unsigned n = 2 + below(2); n > 0; --n) out.parties.push_back(french());
      out.judge = french();
      out.title = "Audience de plaidoirie";
    }
    return out;
  }

 private:
  const std::u32string kFamily = U"王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田";
  const std::u32string kGiven = U"伟芳娜秀英敏静丽强磊军洋勇艳杰娟涛明超兰霞平刚桂华玉萍红娥玲芬燕彩春菊凤洁梅琳素云莲真环雪荣爱妹香月莺媛瑞凡佳嘉琼勤珍贞莉"
                                U"娣璧璐娅琦晶妍茜秋珊莎锦黛青倩婷姣婉娴瑾颖露瑶怡婵雁蓓纨仪荷丹蓉眉君琴蕊薇菁梦岚苑婕馨瑗琰韵融园艺咏卿聪澜纯毓悦昭冰爽";
  const std::u32string kProvince = U"京津冀晋蒙辽吉黑沪苏浙皖闽赣鲁豫鄂湘粤桂琼渝川贵云陕甘青宁新";
  const std::vector<std::string> kTypes{"民初", "民终", "刑初", "刑终", "行初", "行终", "执", "破", "民申", "知民初"};
  const std::vector<std::string> kCities{"杭州", "宁波", "温州", "上海", "北京", "广州", "深圳", "成都", "武汉", "南京", "西安", "重庆"};
  const std::vector<std::string> kCompanies{"科技有限公司", "贸易有限公司", "房地产开发有限公司", "建设工程有限公司", "物业服务有限公司"};
  const std::vector<std::string> kCauses{"房屋租赁合同纠纷", "买卖合同纠纷", "离婚纠纷", "机动车交通事故责任纠纷", "劳动争议", "民间借贷纠纷"};
  const std::vector<std::string> kFrenchGiven{"Jean", "Marie", "Zoé", "Léa", "Hugo", "Inès", "Émile", "André", "Chloé", "Benoît"};
  const std::vector<std::string> kFrenchFamily{"Dupont", "Lefèvre", "Müller", "Moreau", "Gaëlle", "Noël", "Châtelain", "Cœur", "Guérin"};
  const std::vector<std::string> kSyllables{"dal", "mon", "ver", "ro", "chat", "bel", "lan", "tier", "gny", "court", "ville", "mar",
                                            "per", "cou", "ste", "vin", "bou", "gra", "feu", "lie", "né", "hé", "lou", "mé", "tra"};
  std::mt19937_64 random_;
};

// A part of a text of `from` to `to` characters, as somebody who types would have got so far.
std::string part_of(Names& names, const std::string& text, std::size_t from, std::size_t to) {
  const std::u32string all = greffe::catalogue::code_points(text);
  const std::size_t length = std::min(all.size(), from + names.below(static_cast<unsigned>(to - from + 1)));
  return greffe::catalogue::utf8(all.substr(0, length));
}

struct Kind {
  const char* name;
  double target_ms;
  std::function<std::string(Names&, const greffe::testing::NewHearing&)> make;
};

struct Worst {
  const char* kind = "";
  double p99_ms = 0;
  double cpu_p99_ms = 0;
  double like_p99_ms = 0;
};

double thread_cpu_ms() {
  ::timespec time{};
  ::clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time);
  return static_cast<double>(time.tv_sec) * 1e3 + static_cast<double>(time.tv_nsec) / 1e6;
}

double percentile(std::vector<double> values, double share) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  return values[std::min(values.size() - 1, static_cast<std::size_t>(share * static_cast<double>(values.size())))];
}

// What a program without an index would run: each word in any of the columns, newest first, a page of 50.
greffe::Result<std::size_t> like_peer(Connection& db, const std::string& text) {
  const auto words = greffe::catalogue::code_points(greffe::catalogue::normalise(text));
  auto rows = db.query("SELECT row FROM search_text WHERE cases LIKE ?1 OR parties LIKE ?1 OR judges LIKE ?1 OR other LIKE ?1"
                       " ORDER BY row DESC LIMIT 50",
                       "%" + greffe::catalogue::utf8(words) + "%");
  if (!rows) return rows.error();
  std::size_t count = 0;
  for (;;) {
    const auto more = rows->next();
    if (!more) return more.error();
    if (!*more) return count;
    ++count;
  }
}

// Hearings arrive in the order of a real log: roughly by date.
greffe::Status build(const std::string& path, std::size_t rows, unsigned seed,
                     std::vector<greffe::testing::NewHearing>& sample) {
  greffe::testing::World world;
  auto builder = GREFFE_TRY(CatalogueBuilder::create(path, world.sources()));
  Names names(seed);
  double apply_ms = 0;
  const double wall = wall_ms();
  for (std::size_t done = 0; done < rows;) {
    std::vector<greffe::testing::NewHearing> batch;
    for (std::size_t i = 0; i < 4096 && done + i < rows; ++i) batch.push_back(names.hearing());
    for (const auto& hearing : batch) {
      if (names.below(100) == 0) sample.push_back(hearing);
      world.file(hearing);
    }
    const double before = cpu_ms();
    for (const std::string& entry : world.main_log) GREFFE_TRY(builder.apply(builder.next(), entry));
    GREFFE_TRY(builder.commit(greffe::sha256(greffe::as_bytes(std::to_string(done)))));
    apply_ms += cpu_ms() - before;
    done += batch.size();
    world.main_log.clear();
    world.hearings.clear();
    world.documents.clear();
  }
  const double before = cpu_ms();
  GREFFE_TRY(builder.compact());
  std::printf("build: %zu hearings, %.3f ms of CPU each (compact: %.0f ms), wall %.1f s with making them up\n", rows,
              apply_ms / static_cast<double>(rows), cpu_ms() - before, (wall_ms() - wall) / 1e3);
  return greffe::ok();
}

int run(std::size_t rows, std::size_t queries, unsigned seed, const std::string& keep) {
  greffe::testing::Directory directory;
  const std::string path = keep.empty() ? directory.file("catalogue.sqlite") : keep;
  std::vector<greffe::testing::NewHearing> sample;
  if (const auto built = build(path, rows, seed, sample); !built) {
    std::fprintf(stderr, "search_bench: %s\n", built.error().message.c_str());
    return 2;
  }
  std::printf("file: %.0f MB\n", static_cast<double>(std::filesystem::file_size(path)) / 1e6);
  auto catalogue = Catalogue::open(path);
  auto peer = Connection::open(path, Connection::Mode::read, false);
  if (!catalogue || !peer || sample.empty()) return 2;

  using Hearing = greffe::testing::NewHearing;
  const auto party = [](Names& names, const Hearing& h) { return names.pick(h.parties); };
  const std::vector<Kind> kinds{
      {"two characters", 5, [&](Names& n, const Hearing& h) { return part_of(n, party(n, h), 2, 2); }},
      {"name as typed, 2 to 6", 5, [&](Names& n, const Hearing& h) { return part_of(n, party(n, h), 2, 6); }},
      {"whole name", 5, [&](Names& n, const Hearing& h) { return party(n, h); }},
      {"case number as typed", 5, [](Names& n, const Hearing& h) { return part_of(n, h.case_number, 2, 18); }},
      {"whole case number", 5, [](Names&, const Hearing& h) { return h.case_number; }},
      {"name and title", 5, [&](Names& n, const Hearing& h) { return party(n, h) + " " + part_of(n, h.title, 2, 4); }},
      {"one character", 30, [&](Names& n, const Hearing& h) { return n.below(4) != 0 ? part_of(n, party(n, h), 1, 1) : std::string(n.below(2) ? "号" : "2"); }},
  };
  std::printf("%-24s %8s %9s %9s %9s %9s %9s | %9s %9s %8s\n", "query", "target", "p50 ms", "p99 ms", "max ms", "cpu mean",
              "cpu p99", "LIKE p50", "LIKE p99", "cpu/LIKE");
  std::map<double, Worst> worst;  // by target
  Names names(seed + 1);
  for (const Kind& kind : kinds) {
    std::vector<double> ours, ours_cpu, theirs;
    double cpu = 0, peer_cpu = 0;
    const std::size_t peer_queries = std::min<std::size_t>(queries, 100);
    for (std::size_t i = 0; i < queries; ++i) {
      const Hearing& hearing = sample[names.below(static_cast<unsigned>(sample.size()))];
      HearingQuery query;
      query.text = kind.make(names, hearing);
      // Half of the people see all courts, half see three.
      CourtSet courts = CourtSet::everything();
      if (i % 2 == 1) courts = {false, {hearing.court, "court-2", "court-fr-1"}};
      courts.guests = courts.names;
      const double before = wall_ms(), before_cpu = thread_cpu_ms();
      const auto page = catalogue->find(query, courts);
      ours.push_back(wall_ms() - before);
      ours_cpu.push_back(thread_cpu_ms() - before_cpu);
      cpu += ours_cpu.back();
      if (!page || page->hearings.empty()) {
        std::fprintf(stderr, "search_bench: \"%s\" found nothing\n", query.text.c_str());
        return 1;
      }
      if (i >= peer_queries) continue;
      const double peer_before = wall_ms(), peer_before_cpu = thread_cpu_ms();
      if (!like_peer(*peer, query.text)) return 2;
      theirs.push_back(wall_ms() - peer_before);
      peer_cpu += thread_cpu_ms() - peer_before_cpu;
    }
    const double p99 = percentile(ours, 0.99);
    const double like_p99 = percentile(theirs, 0.99);
    if (Worst& one = worst[kind.target_ms]; p99 >= one.p99_ms) one = {kind.name, p99, percentile(ours_cpu, 0.99), like_p99};
    const double each = cpu / static_cast<double>(queries), peer_each = peer_cpu / static_cast<double>(peer_queries);
    std::printf("%-24s %8.0f %9.2f %9.2f %9.2f %9.2f %9.2f | %9.2f %9.2f %8.4f\n", kind.name, kind.target_ms,
                percentile(ours, 0.5), p99, percentile(ours, 1), each, percentile(ours_cpu, 0.99),
                percentile(theirs, 0.5), percentile(theirs, 0.99), each / peer_each);
  }
  for (const auto& [target_ms, one] : worst) {
    std::printf("ROW {\"row\":\"search among %zu hearings, %s\",\"peer\":\"SQL LIKE\",\"to_reach\":\"p99 <= %.0f ms\","
                "\"measured\":\"p99 %.1f ms, of CPU %.1f ms (LIKE %.1f ms), the slowest of its kinds: %s\",\"reached\":%s}\n",
                rows, target_ms > 5 ? "one character" : "two characters and more", target_ms, one.p99_ms, one.cpu_p99_ms, one.like_p99_ms,
                one.kind,
                one.p99_ms <= target_ms ? "true" : "false");
  }
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  std::size_t rows = 100'000, queries = 1000;
  unsigned seed = 1;
  std::string keep;
  for (int i = 1; i + 1 < argc; i += 2) {
    if (std::strcmp(argv[i], "--rows") == 0) rows = std::stoul(argv[i + 1]);
    if (std::strcmp(argv[i], "--queries") == 0) queries = std::stoul(argv[i + 1]);
    if (std::strcmp(argv[i], "--seed") == 0) seed = static_cast<unsigned>(std::stoul(argv[i + 1]));
    if (std::strcmp(argv[i], "--keep") == 0) keep = argv[i + 1];
  }
  if (argc % 2 == 0 || rows < 1000) {
    std::fprintf(stderr, "usage: search_bench [--rows N (at least 1000)] [--queries N] [--seed S] [--keep FILE]\n");
    return 2;
  }
  return run(rows, queries, seed, keep);
}
