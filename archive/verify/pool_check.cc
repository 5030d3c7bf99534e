#include "archive/verify/pool_check.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <set>

#include "archive/format/canonical_json.h"
#include "archive/format/names.h"
#include "archive/verify/epochs.h"
#include "archive/verify/grafts.h"
#include "archive/verify/hearing_check.h"
#include "archive/verify/main_check.h"

namespace greffe::verify {
namespace {

constexpr std::uint64_t kMaxLabelBytes = 4096;
constexpr std::size_t kObjectBatch = 4096;

// Every child of <volume>/<relative> on any volume.
std::vector<std::string> children(Files& files, const std::vector<std::string>& volumes, const std::string& relative) {
  std::set<std::string> out;
  for (const std::string& volume : volumes) {
    const auto names = files.names_in(volume + "/" + relative);
    if (names) out.insert(names->begin(), names->end());
  }
  return {out.begin(), out.end()};
}

std::vector<std::string> below(const std::vector<std::string>& volumes, const std::string& relative) {
  std::vector<std::string> out;
  for (const std::string& volume : volumes) out.push_back(volume + "/" + relative);
  return out;
}

class PoolCheck {
 public:
  PoolCheck(const PoolRequest& request, Report& report)
      : request_(request), report_(report), progress_(clock_, "verifying", 0, ProgressUnit::bytes),
        objects_([this](const ObjectJob& job) { return below(request_.volumes, object_key(job.digest)); }, request.threads, request.files, report,
                 progress_) {}

  Status run() {
    if (request_.labelled) GREFFE_TRY(check_labels());
    std::vector<std::string> logs;
    if (has_checkpoint(main_log_path())) logs.push_back(main_log_path());
    for (const std::string& name : children(request_.files, request_.volumes, "log/from")) logs.push_back("log/from/" + name);
    find_hearings();
    bool trusted_any = false;
    for (const auto& [archive, epochs] : main_logs(logs)) trusted_any |= check_archive(epochs);
    if (!trusted_any) {
      report_.add(main_finding(Verdict::tampered, "main-origin", "there is no main log here that your policy trusts"));
    }
    for (const HearingId& id : hearings_) {
      if (!judged_.contains(id)) judge_stray(id);
    }
    check_other_objects();
    return ok();
  }

 private:
  Status check_labels() const {
    std::string pool;
    std::set<std::string> ids;
    for (const std::string& volume : request_.volumes) {
      const auto text = request_.files.read_text(volume + "/greffe-volume.json", kMaxLabelBytes);
      if (!text) return text.error();
      const auto label = parse_json(*text);
      const auto id = label ? label->string("volume") : Result<std::string>(label.error());
      const auto its_pool = label ? label->string("pool") : Result<std::string>(label.error());
      if (!id || !its_pool) return fail(Errc::invalid, volume + "/greffe-volume.json is not the label of a volume");
      if (!pool.empty() && pool != *its_pool) {
        return fail(Errc::invalid, volume + " belongs to another pool than the volumes before it; verify each pool by itself");
      }
      if (!ids.insert(*id).second) return fail(Errc::invalid, volume + " is the same volume as one given before it");
      pool = *its_pool;
    }
    return ok();
  }

  bool has_checkpoint(const std::string& log) const {
    return std::any_of(request_.volumes.begin(), request_.volumes.end(), [&](const std::string& volume) {
      return request_.files.kind_of(volume + "/" + log + "/checkpoint").has_value();
    });
  }

  // By archive, in the order of their epochs.
  std::map<std::string, std::vector<MainLogFolder>> main_logs(const std::vector<std::string>& paths) {
    std::map<std::string, std::vector<MainLogFolder>> out;
    for (const std::string& path : paths) {
      const LogFiles log({"main", ""}, below(request_.volumes, path), request_.files, report_);
      MainLogFolder one{path, {}, log.checkpoints("main-checkpoint")};
      if (one.notes.empty()) continue;
      const std::string& origin = one.notes.front().signed_checkpoint.checkpoint.origin;
      const auto name = parse_epoch_origin(origin);
      one.name = name ? *name : EpochName{origin, 1};
      out[one.name.archive].push_back(std::move(one));
    }
    for (auto& [archive, epochs] : out) {
      std::stable_sort(epochs.begin(), epochs.end(), [](const MainLogFolder& x, const MainLogFolder& y) { return x.name.epoch < y.name.epoch; });
    }
    return out;
  }

  // False: its log is not one of the policy's, and was not judged.
  bool check_archive(const std::vector<MainLogFolder>& epochs) {
    const MainLogFolder& first = epochs.front();
    const std::string& origin = first.notes.front().signed_checkpoint.checkpoint.origin;
    if (trusted_log(request_.policy, origin) == nullptr) {
      report_.note("the main log of " + origin + " is not named by your policy; it and its hearings were not judged");
      untrusted_.insert(first.name.archive);
      return false;
    }
    for (const MainLogFolder& one : epochs) {
      const std::string& of = one.notes.front().signed_checkpoint.checkpoint.origin;
      if (one.path == main_log_path() || foreign_log_path(of) == one.path) continue;
      report_.add(main_finding(Verdict::tampered, "main-origin", "the folder holds the log of another archive: " + of, one.path));
    }
    const auto chosen = choose_main(request_.policy, first.notes, report_);
    if (!chosen) return true;
    std::vector<EpochLog> chain;
    chain.push_back(open_epoch(first, *chosen, below(request_.volumes, first.path), request_.files, report_));
    Policy policy = request_.policy;
    for (std::size_t i = 1; i < epochs.size(); ++i) {
      EpochLog next = open_epoch(epochs[i], epochs[i].notes.front(), below(request_.volumes, epochs[i].path), request_.files, report_);
      if (!follow_epoch(chain, std::move(next), policy, report_)) break;
    }
    judge_archive(chain, policy, first.path != main_log_path());
    return true;
  }

  // What the policy's cosigners have signed of it.
  Cosignatures judge_heads(const EpochLog& link, bool is_newest, const Policy& policy) {
    const Checkpoint& head = link.head();
    Cosignatures cosignatures(request_.policy);
    if (link.root_holds) {
      std::vector<NoteCopy> all = link.log->cosigned("cosignature-bad");
      all.insert(all.end(), link.notes.begin(), link.notes.end());
      for (const NoteCopy& copy : all) check_consistent(copy, link.log->tree(), policy, cosignatures);
      check_known(link.log->tree(), head, is_newest);
    } else {
      Finding f = main_finding(Verdict::tampered, "main-root", "the entries do not give the root that the archive signed", link.chosen.file);
      f.entry = 0;
      f.entry_end = head.size;
      report_.add(std::move(f));
    }
    return cosignatures;
  }

  // How many of its entries those of them have signed whom this epoch is asked for.
  std::uint64_t judge_coverage(const EpochLog& link, const Cosignatures& cosignatures, const Policy& asked) {
    const Checkpoint& head = link.head();
    LogSummary summary{head.origin, head.size, head.root.hex(), {}, cosignatures.covered(head.size, asked)};
    for (const auto& [name, cosigned] : cosignatures.by_witness()) summary.cosigned.emplace_back(name, cosigned.time);
    if (summary.covered == 0 && head.size > 0) {
      report_.add(main_finding(Verdict::incomplete, "quorum", "the cosigners that your policy asks for have not signed the main log",
                               link.chosen.file));
    } else if (summary.covered < link.counted) {
      report_.note(fmt::format("the policy's cosigners have signed {} of {} main log entries; the newest are not covered yet",
                               summary.covered, link.counted));
    }
    const std::uint64_t covered = summary.covered;
    report_.add(std::move(summary));
    return covered;
  }

  void judge_archive(const std::vector<EpochLog>& chain, const Policy& policy, bool is_copy) {
    MainFacts facts(chain.front().name.archive, report_);
    std::vector<Policy> asked;  // of each epoch
    for (const EpochLog& link : chain) {
      NamedCosigners named;
      if (link.promotion) facts.add_promotion(link.first, *link.promotion);
      link.log->visit([&](std::uint64_t index, std::string_view entry) {
        const bool is_certificate = index == 0 && link.promotion;
        if (index >= link.counted || is_certificate) return;
        facts.add(link.first + index, entry, policy);
        named.take(entry);
      });
      asked.push_back(link.promotion ? asked_of_epoch(request_.policy, named) : request_.policy);
    }
    judge_grafts(chain, facts.grafts(), report_);
    MainContext context{facts, request_.policy, {}, chain.back().first + chain.back().counted, 0, is_copy, &request_.files, chain.size()};
    std::vector<Cosignatures> cosignatures;
    std::vector<std::uint64_t> counted;
    for (const EpochLog& link : chain) {
      if (link.promotion) check_signed(link);
      cosignatures.push_back(judge_heads(link, &link == &chain.back(), policy));
      counted.push_back(link.counted);
      if (link.root_holds) context.trees.push_back(&link.log->tree());
    }
    carry_back(cosignatures, counted);
    for (std::size_t i = 0; i < chain.size(); ++i) {
      const std::uint64_t covered = judge_coverage(chain[i], cosignatures[i], asked[i]);
      if (context.covered == chain[i].first) context.covered += std::min(covered, counted[i]);
    }
    check_known_epoch(request_.known, chain.back().name, policy, report_);
    judge_hearings(context);
    judge_documents(facts);
  }

  // Of the first epoch choose_main said it. On some volume may lie another log in the place of a later epoch's, of others or of another promotion.
  void check_signed(const EpochLog& link) {
    for (const NoteCopy& copy : link.notes) {
      const Status good = verify_note(copy.signed_checkpoint.note, link.promotion->log_verifier());
      if (good) continue;
      report_.add(main_finding(Verdict::tampered, "main-signature",
                               fmt::format("a checkpoint in the place of that of epoch {} is not signed by the key that officers gave it: {}", link.name.epoch,
                                           good.error().message),
                               copy.file));
    }
  }

  // Another copy of the head, or what a cosigner signed: never beside this tree, and never ahead of it.
  void check_consistent(const NoteCopy& copy, const TileTree& tree, const Policy& policy, Cosignatures& cosignatures) {
    const Checkpoint& other = copy.signed_checkpoint.checkpoint;
    const bool by_log = [&] {
      const VerifierKey* key = trusted_log(policy, other.origin);
      return key != nullptr && verify_note(copy.signed_checkpoint.note, *key).has_value();
    }();
    if (!by_log) return;  // said already of heads; a cosigned note without the log's line proves nothing
    if (other.size > tree.size()) {
      report_.add(main_finding(Verdict::tampered, "main-rolled-back",
                               fmt::format("the main log has {} entries, but {} were signed: an older state was put in place",
                                           tree.size(), other.size),
                               copy.file));
    } else if (tree.root_at(other.size) != other.root) {
      report_.add(main_finding(Verdict::tampered, "main-inconsistent",
                               fmt::format("the archive signed another main log of {} entries than this one", other.size), copy.file));
    } else {
      cosignatures.add(copy, report_);
    }
  }

  void check_known(const TileTree& tree, const Checkpoint& head, bool is_newest) {
    if (!request_.known || request_.known->checkpoint.origin != head.origin) return;
    const Checkpoint& known = request_.known->checkpoint;
    if (known.size > tree.size() && !is_newest) {
      report_.note(fmt::format("the checkpoint of {} entries that you hold lies behind what the next epoch goes on from: it cannot be compared", known.size));
    } else if (known.size > tree.size()) {
      report_.add(main_finding(Verdict::tampered, "main-rolled-back",
                               fmt::format("the main log has {} entries, but you hold a checkpoint of {}: an older state was put in "
                                           "place, or these volumes are behind",
                                           tree.size(), known.size)));
    } else if (tree.root_at(known.size) != known.root) {
      report_.add(main_finding(Verdict::tampered, "main-inconsistent",
                               fmt::format("the checkpoint of {} entries that you hold is of another log than this one", known.size)));
    } else {
      report_.note(fmt::format("the main log continues the checkpoint of {} entries that you hold", known.size));
    }
  }

  // All hearings that have a folder on some volume.
  void find_hearings() {
    const std::string base = "log/hearing";
    for (const std::string& year : children(request_.files, request_.volumes, base)) {
      for (const std::string& month : children(request_.files, request_.volumes, base + "/" + year)) {
        for (const std::string& day : children(request_.files, request_.volumes, base + "/" + year + "/" + month)) {
          const std::string folder = base + "/" + year + "/" + month + "/" + day;
          for (const std::string& name : children(request_.files, request_.volumes, folder)) {
            const auto id = parse_hearing_id(name);
            if (id && hearing_log_path(*id) == folder + "/" + name) {
              hearings_.insert(*id);
            } else {
              report_.add(main_finding(Verdict::tampered, "hearing-origin", "a folder among the hearings is none", folder + "/" + name));
            }
          }
        }
      }
    }
  }

  std::string origin_on_disk(const HearingId& id) const {
    for (const std::string& folder : below(request_.volumes, hearing_log_path(id))) {
      const auto text = request_.files.read_text(folder + "/checkpoint", kMaxNoteBytes);
      const auto note = text ? parse_signed_checkpoint(*text) : Result<SignedCheckpoint>(text.error());
      if (note) return note->checkpoint.origin;
    }
    return {};
  }

  void judge_hearings(const MainContext& main) {
    std::set<HearingId> mine;
    for (const auto& [id, facts] : main.facts.hearings()) mine.insert(id);
    for (const HearingId& id : hearings_) {
      if (origin_on_disk(id) == hearing_origin(main.facts.origin(), id)) mine.insert(id);
    }
    for (const HearingId& id : mine) {
      HearingCheck check(id, below(request_.volumes, hearing_log_path(id)), main, objects_, report_);
      check.run();
      named_.insert(named_.end(), check.named().begin(), check.named().end());
      judged_.insert(id);
    }
  }

  void judge_documents(const MainFacts& facts) {
    std::vector<ObjectJob> jobs;
    for (const NamedDocument& document : facts.documents()) {
      named_.push_back(document.digest);
      if (!document.hearing.empty()) continue;  // checked with its hearing
      ObjectJob job;
      job.digest = document.digest;
      job.log = "main";
      job.entry = document.index;
      job.may_be_absent = facts.lost().covers(std::nullopt, document.digest);
      jobs.push_back(std::move(job));
    }
    report_.add_lost_documents(objects_.check(jobs));
  }

  void judge_stray(const HearingId& id) {
    const std::string origin = origin_on_disk(id);
    const auto parts = parse_hearing_origin(origin);
    if (parts && parts->id == id && untrusted_.contains(parts->archive_name)) return;
    if (origin.empty()) {
      // A volume that never got the head; or the begun hearing whose first entries were never acknowledged.
      report_.note("hearing " + id.text() + " has a folder but no checkpoint on any volume given");
      return;
    }
    Finding f;
    f.code = "hearing-origin";
    f.what = "the folder of a hearing holds the log " + origin;
    f.hearing = id.text();
    f.file = hearing_log_path(id);
    report_.add(std::move(f));
  }

  // What no entry names yet (deposits under way) must be good as well: no visible object may differ from its name.
  void check_other_objects() {
    std::sort(named_.begin(), named_.end());
    named_.erase(std::unique(named_.begin(), named_.end()), named_.end());
    std::uint64_t others = 0;
    std::vector<ObjectJob> jobs;
    for (const std::string& first : children(request_.files, request_.volumes, "sha256")) {
      for (const std::string& second : children(request_.files, request_.volumes, "sha256/" + first)) {
        const std::string folder = "sha256/" + first + "/" + second;
        for (const std::string& name : children(request_.files, request_.volumes, folder)) {
          const auto digest = parse_object_key(folder + "/" + name);
          if (!digest) {
            report_.note(folder + "/" + name + " is not an object");
            continue;
          }
          if (std::binary_search(named_.begin(), named_.end(), *digest)) continue;
          ObjectJob job;
          job.digest = *digest;
          job.log = "";
          jobs.push_back(std::move(job));
          ++others;
        }
        if (jobs.size() >= kObjectBatch) check_batch(jobs);
      }
    }
    check_batch(jobs);
    if (others > 0) report_.note(fmt::format("{} objects are named by no entry (deposits that were not finished)", others));
  }
  void check_batch(std::vector<ObjectJob>& jobs) {
    objects_.check(jobs);
    jobs.clear();
  }

  const PoolRequest& request_;
  Report& report_;
  SystemClock clock_;
  Progress progress_;
  ObjectChecker objects_;
  std::set<HearingId> hearings_;  // that have a folder
  std::set<HearingId> judged_;
  std::set<std::string> untrusted_;  // origins
  std::vector<Digest> named_;        // 32 bytes for each object
};

}  // namespace

Status check_pool(const PoolRequest& request, Report& report) {
  PoolCheck check(request, report);
  return check.run();
}

}  // namespace greffe::verify
