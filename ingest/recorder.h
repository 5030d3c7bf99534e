// The recording of a courtroom: keeps all live streams connected, records them into the open hearing, obeys the person
// who records, and goes on by itself after whatever stopped it. Runs on the thread that calls run(); ask() and state()
// may be called by any thread.
#ifndef GREFFE_INGEST_RECORDER_H
#define GREFFE_INGEST_RECORDER_H

#include <atomic>
#include <deque>
#include <functional>
#include <future>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "archive/base/log.h"
#include "archive/format/documents.h"
#include "ingest/live_hearing.h"
#include "ingest/live_lane.h"

namespace greffe::ingest {

// How far the archive has a hearing: the receipt covers so many of its entries, and so many were read back from its disks.
struct Coverage {
  std::uint64_t receipt_size = 0;
  std::uint64_t read_back_size = 0;
};
// Called on the recorder's thread; they must not block.
struct RecorderLinks {
  std::function<void(const HearingId&)> committed;      // after every commit of the live hearing: what is new may be delivered
  std::function<Coverage(const HearingId&)> coverage;   // null: nothing is delivered while it is recorded
  std::function<bool(const Error&)> leaves;             // the spool failed with this: is there another one? run() ends then. Null: no
  std::function<Space()> other_disk;                    // of the second directory; null, or nothing in it: there is none
};

class Recorder {
 public:
  // Everything must outlive it.
  Recorder(FileSystem& files, Clock& clock, Log& log, const IngestSettings& settings, const Enrolment& enrolment, const PrivateKey& key,
           PictureBoard& pictures, RecorderLinks links);
  ~Recorder();

  // Goes on with the hearing that was being recorded, if there is one, then records until stop(). ok: everything so far
  // is in the log, durable and signed.
  Status run();
  void stop();  // from any thread or signal handler; the open hearing goes on at the next start
  bool has_left() const { return left_; }  // run() ended because the spool failed, and there is another one

  // What the person who records asks for; waits until it is done and durable. Verbs and arguments:
  //   open    details (a document), continues?          close    person?
  //   pause   reason, note?, person?                    resume   person?
  //   mute    stream, note?, person?                    unmute   stream
  //   mark    text, stream?, person?                   explain  gap, text, person?
  //   correct details (in place of those of before), person?
  // conflict: not in this state, in words. invalid: an argument. unavailable: it does not answer.
  Result<Json> ask(const std::string& verb, const Json& arguments);
  Json state() const;  // at most half a second old

 private:
  struct Question;
  using Verb = Result<Json> (Recorder::*)(const Json& arguments);
  Result<Json> open(const Json& arguments);
  Result<Json> pause(const Json& arguments);
  Result<Json> resume(const Json& arguments);
  Result<Json> mute(const Json& arguments);
  Result<Json> unmute(const Json& arguments);
  Result<Json> mark(const Json& arguments);
  Result<Json> explain(const Json& arguments);
  Result<Json> correct(const Json& arguments);
  Result<Json> begin_close(const Json& arguments);

  Status go_on();                       // with the hearing of before, if there is one
  Status take_up(const HearingId& id);
  Status announce_streams();
  Status add_sub_streams(Moment now);   // of cameras that turned out to send H.265
  Status step();                        // one round: news, questions, timers, commit
  Status wait_for_news();
  Status tick();
  void answer_questions();
  std::optional<Result<Json>> answer(const Question& question);
  Status finish_when_at_rest();
  Status finish();
  Status end_in_order();                // of the process; the hearing stays open
  void give_up_spool(const Error& why); // an error of the disk: nothing of this process may write there any more
  void apply_wanted(Moment now, const char* missing_until_then);
  bool wants(const std::string& stream) const;
  void end_pause(const OpenPause& pause, std::vector<std::string> streams, Moment now);
  Result<OpenPause> pause_from(const Json& arguments, const std::string& fallback_reason);
  Result<std::optional<Digest>> note_from(const Json& arguments, const char* kind, const char* member);
  Status save_record();
  Status say_lost();
  Status commit();
  void publish();
  Json lamp(Moment now) const;
  void measure_room(Moment now);
  void fail_questions();

  FileSystem& files_;
  Log& log_;
  const IngestSettings& settings_;
  const Enrolment& enrolment_;
  const PrivateKey& key_;
  PictureBoard& pictures_;
  const RecorderLinks links_;
  StationClock clock_;
  std::vector<std::unique_ptr<LiveLane>> lanes_;
  std::unique_ptr<HearingSpool> spool_;  // of the open hearing
  LiveRecord record_;
  Details details_;                      // of the open hearing
  std::shared_ptr<Question> closing_;    // is answered when the hearing is finished
  std::string closing_person_;
  Moment closing_at_;                    // when it was asked for
  std::string trouble_;                  // why nothing can be recorded, in words
  Moment trouble_since_;
  std::int64_t try_again_at_ms_ = 0;
  std::int64_t looked_ms_ = 0;
  std::optional<std::int64_t> seconds_left_;  // of recording, as last measured
  std::string space_level_;
  std::int64_t measured_ms_ = 0;

  int wake_ = -1;                        // an eventfd
  std::atomic<bool> stopping_{false};
  std::atomic<bool> left_{false};
  mutable std::mutex mutex_;             // over what follows
  std::deque<std::shared_ptr<Question>> questions_;
  bool running_ = false;
  Json state_;
};

}  // namespace greffe::ingest

#endif
