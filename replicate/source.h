// Where recordings come from: the archive's pool, opened for reading beside its writer, with its main log through all epochs. A value;
// copies share what they have loaded.
#ifndef GREFFE_REPLICATE_SOURCE_H
#define GREFFE_REPLICATE_SOURCE_H

#include <string>
#include <vector>

#include "archive/format/names.h"
#include "archive/store/object_store.h"
#include "archive/tlog/log_chain.h"

namespace greffe::replicate {

struct Source {
  // Of an archive that was never promoted; its log need not be there yet.
  Source(store::ObjectStore& o, store::HeadStore& h, std::string name)
      : objects(o), heads(h), archive(std::move(name)), main(tlog::LogReader(o, h, main_log_path())) {}
  // Of the archive in this epoch, whose own pool it is. Errors as tlog::open_main_log.
  static Result<Source> open(store::ObjectStore& objects, store::HeadStore& heads, const EpochName& name);

  std::string origin(const tlog::LogChain::Link& link) const { return link.path.empty() ? archive : epoch_origin(link.name); }
  std::string path(const tlog::LogChain::Link& link) const { return link.path.empty() ? main_log_path() : link.path; }
  std::string main_origin() const { return origin(main.newest()); }  // of the log that is written now
  std::string main_path() const { return path(main.newest()); }
  // Who signs the main log of each epoch, as the logs themselves say; `newest`: as enrolment said it. denied: that log says another key. Else as
  // LogReader::entries.
  Result<std::vector<VerifierKey>> log_keys(const VerifierKey& newest) const;

  store::ObjectStore& objects;
  store::HeadStore& heads;
  std::string archive;  // its name, which is the origin of its first main log
  tlog::LogChain main;  // up to the epoch in which it is
};

}  // namespace greffe::replicate

#endif
