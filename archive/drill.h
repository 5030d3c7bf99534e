// One drill of one archive whose copy is held here: on this site's own disks alone the catalogue is made from nothing, objects drawn at random
// and a whole day are read from the media and hashed, a recording is decoded, and the times of it are measured. Reads only, but for temporary
// files. One thread.
#ifndef GREFFE_ARCHIVE_DRILL_H
#define GREFFE_ARCHIVE_DRILL_H

#include <atomic>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "archive/catalogue/catalogue_builder.h"
#include "archive/catalogue/survey.h"
#include "archive/declared_lost.h"
#include "archive/format/drill.h"
#include "archive/media_checker.h"
#include "archive/scrub_logs.h"
#include "archive/store/pace.h"
#include "archive/store/whole_pool.h"
#include "archive/tlog/log_check.h"
#include "archive/tlog/log_reader.h"

namespace greffe::archive {

struct DrillOrder {
  std::string archive;            // whose copy
  PublicKey log_key;              // that signs the main log of its first epoch
  std::string site;               // this archive, by its name
  bool asked = false;             // by a person
  std::optional<UtcTime> heard;   // when that archive was heard of last
  std::string kept_catalogue;     // path of the one in use
  std::string directory;          // for temporary files, of drills alone: whatever is in it is removed
  std::uint64_t bytes_per_second = 0;  // that it reads of objects, at most; 0: as fast as it goes
  std::size_t sampled = 256;      // entries that are drawn
  std::int64_t catch_up_ms = 60'000;  // that the catalogue in use may need to be there, and as far as the one that was made
};

// How far it is; any thread may look.
struct DrillProgress {
  enum class Step { head, catalogue, sample, decode, compare, log, day };
  std::atomic<Step> step{Step::head};
  std::atomic<std::uint64_t> done{0};   // of this step: entries of logs, recordings or hearings
  std::atomic<std::uint64_t> total{0};  // 0: not known
};
std::string_view name_of(DrillProgress::Step step);

class Drill {
 public:
  // All of them outlive it. `pool`: opened as a reader, so that nothing is repaired on the way, and nothing counts that another part of this
  // program has hashed before.
  Drill(FileSystem& files, Clock& clock, store::WholePool& pool, DeclaredLost& declared, const CheckMedia& check_media, DrillOrder order,
        DrillProgress& progress, std::stop_token stop);

  // What is not as the logs say is a failure in the report. An error means that nothing can be said: cancelled, asked to stop; not_found,
  // nothing has come of that archive yet; no_space, there is no room for a second catalogue; unavailable, storage does not answer; corrupt,
  // its newest state cannot even be read.
  Result<DrillReport> run();

 private:
  struct Reading {  // of objects, by one part of the drill
    std::uint64_t objects = 0;
    std::uint64_t bytes = 0;
  };
  struct Stream {
    HearingId hearing;
    std::string name;
  };
  struct Piece {  // of a stream
    Digest digest;
    std::uint64_t bytes = 0;
    std::int64_t duration_90k = 0;
  };
  // Where a log names an object; `known`: the place, if it was looked up before.
  struct Naming {
    const std::string& log_path;
    std::optional<HearingId> hearing;
    const NamedPlace* known = nullptr;
  };
  using Part = Status (Drill::*)();

  Status work();
  Status timed(DrillProgress::Step step, std::int64_t& ms, Part part);
  Status prepare();
  void tidy() const;
  void conclude();
  Status look_at_head();
  Status make_catalogue();
  Status compare_catalogues();
  Result<catalogue::Survey> kept_catalogue() const;
  Result<bool> bring_beside(const catalogue::Applied& kept);
  Status check_main_log();
  Result<tlog::LogCheck> check_log(const std::string& path) const;
  void tell(const tlog::LogCheck& checked);
  // A failure that is told; or, where nothing can be said because of it, the error itself.
  Status note(std::string_view code, const Error& error);
  Status stopped() const;

  // drill_reading.cc
  Status draw_sample();
  Status read_drawn(const catalogue::SurveyedHearing& hearing, const std::vector<std::uint64_t>& indices);
  Status read_drawn_entry(const HearingId& hearing, std::string_view text);
  Status decode_stream();
  Result<std::vector<Piece>> pieces_of(const Stream& stream) const;
  Result<bool> decode_batch(const std::vector<Piece>& pieces, std::size_t first, std::size_t last);
  Result<std::vector<std::string>> lay_out(const std::vector<Piece>& pieces, std::size_t first, std::size_t last);
  Status read_day();
  Status read_hearing(const catalogue::SurveyedHearing& hearing, Reading& reading);
  Status check_hearing_log(const catalogue::SurveyedHearing& hearing);
  Status read_documents_about(const HearingId& hearing, Reading& reading);
  Status read_object(const Naming& naming, const Digest& digest, Reading& reading);
  Status judge(const Naming& naming, const Digest& digest, const std::string& trouble);

  FileSystem& files_;
  Clock& clock_;
  store::WholePool& pool_;
  DeclaredLost& declared_;
  const CheckMedia& check_media_;
  const DrillOrder order_;
  DrillProgress& progress_;
  const std::stop_token stop_;
  store::Pace pace_;
  std::optional<tlog::LogChain> main_log_;  // through all epochs that are here
  std::optional<catalogue::CatalogueBuilder> made_;  // the catalogue that was made
  std::optional<catalogue::Survey> survey_;          // of the same
  std::optional<Stream> drawn_;                      // of the segments that were drawn, one's
  std::uint64_t segments_drawn_ = 0;
  std::optional<std::int64_t> first_decoded_ms_;     // since decoding began
  DrillReport report_;
};

}  // namespace greffe::archive

#endif
