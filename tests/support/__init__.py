"""What tests of every part share: servers, fresh databases, patience."""
