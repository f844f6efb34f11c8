"""What people call columns, arrays and folders: the words by which every reader knows them."""

# Whatever such a column holds, if it can be classes; of the others only if it holds words.
LABELS = ("label", "labels", "class", "classes", "target", "y")
LABEL_WORDS = ("species", "category", "variety", "breed", "diagnosis", "fine_label")
LABEL_WORDS += ("class_name", "classname", "class_label", "label_name", "labels_name")
SPLITS = ("split", "subset", "partition", "part", "fold", "set", "data set", "dataset")
TRAIN = ("train", "training", "trn", "labeled", "labelled")
TEST = ("test", "testing", "val", "valid", "validation", "dev", "devel", "eval", "evaluation")
TEST += ("holdout",)
UNLABELED = ("unlabeled", "unlabelled", "unsupervised", "pred", "predict", "prediction")
